"""Addresses of the second step, under the names that allauth asks for."""

from django.urls import path
from django.views.generic import RedirectView

from crm.core.web import second_step as views

urlpatterns = [
    path("", RedirectView.as_view(url=views.MINE), name="mfa_index"),
    path("code/", views.SecondStepView.as_view(), name="mfa_authenticate"),
    path("set-up/", views.own(views.SetUpView.as_view()), name="mfa_activate_totp"),
    path("codes/", views.own(views.RecoveryCodesView.as_view()), name="mfa_view_recovery_codes"),
    path("new-codes/", views.own(views.NewCodesView.as_view()), name="mfa_generate_recovery_codes"),
    path("off/", views.own(views.SwitchOffView.as_view()), name="mfa_deactivate_totp"),
    path("password/", views.own(views.PasswordAgainView.as_view()), name="account_reauthenticate"),
]
