"""Settings of Huike. Everything that differs between machines is an environment variable."""

from pathlib import Path
from typing import Any

import environ
import structlog
from csp.constants import NONCE, NONE, SELF
from django.templatetags.static import static
from django.utils.functional import lazy

from crm.navigation import NAVIGATION, account_links
from crm.roles import ROLES as SEEDED_ROLES
from crm.schedule import BEAT_SCHEDULE

BASE_DIR = Path(__file__).resolve().parent.parent
env = environ.Env()

# --- Machine -------------------------------------------------------------------------------------
DEBUG = env.bool("DEBUG", default=False)
SECRET_KEY = env.str("SECRET_KEY")
ALLOWED_HOSTS = env.list("ALLOWED_HOSTS", default=["127.0.0.1", "localhost"])
CSRF_TRUSTED_ORIGINS = env.list("CSRF_TRUSTED_ORIGINS", default=[])
DEMO = env.bool("HUIKE_DEMO", default=False)
MEDIA_ROOT = env.str("MEDIA_ROOT", default=str(BASE_DIR / "var" / "media"))
STATIC_ROOT = env.str("STATIC_ROOT", default=str(BASE_DIR / "var" / "static"))
SHOP_NAME = env.str("SHOP_NAME", default="My shop")
SHOP_CURRENCY = env.str("SHOP_CURRENCY", default="GBP")
SHOP_ZONE = env.str("SHOP_ZONE", default="UTC")

# --- Applications --------------------------------------------------------------------------------
INSTALLED_APPS = [
    "unfold",
    "unfold.contrib.filters",
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.postgres",
    "whitenoise.runserver_nostatic",
    "django.contrib.staticfiles",
    "django.contrib.humanize",
    "pgtrigger",
    "pghistory",
    "axes",
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "csp",
    "django_structlog",
    "rest_framework",
    "django_filters",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "crm.core",
    "customers",
    "analytics",
    "campaigns",
]
MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "csp.middleware.CSPMiddleware",
    "crm.core.web.csp.AdminPolicyMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "crm.core.web.languages.PersonLanguageMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django_structlog.middlewares.RequestMiddleware",
    "pghistory.middleware.HistoryMiddleware",
    "customers.web.setup.SetupMiddleware",
    "crm.core.web.second_step.NeededMiddleware",
    "customers.web.zone.ShopZoneMiddleware",
    "crm.core.web.reach.ReachMiddleware",
    "crm.core.web.sign_in.SeenMiddleware",
    "axes.middleware.AxesMiddleware",
]
ROOT_URLCONF = "crm.urls"
WSGI_APPLICATION = "crm.wsgi.application"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.template.context_processors.i18n",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "csp.context_processors.nonce",
            ],
        },
    },
]

# --- Data ----------------------------------------------------------------------------------------
DATABASES = {"default": env.db_url("DATABASE_URL")}
DATABASES["default"] |= {
    "ENGINE": "django.db.backends.postgresql",
    "CONN_MAX_AGE": 0,
    "OPTIONS": {
        **DATABASES["default"].get("OPTIONS", {}),
        "pool": {"min_size": 0, "max_size": env.int("DATABASE_POOL_SIZE", default=8)},
    },
}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
PGTRIGGER_SCHEMA_EDITOR = True
MEDIA_URL = "/media/"
STATIC_URL = "/static/"
STATICFILES_DIRS = [BASE_DIR / "crm" / "static"]
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {
        "BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"
        if not DEBUG
        else "django.contrib.staticfiles.storage.StaticFilesStorage",
        # Who collects them is seldom who serves them; there is nothing secret in them.
        "OPTIONS": {"file_permissions_mode": 0o644, "directory_permissions_mode": 0o755},
    },
}
DATA_UPLOAD_MAX_MEMORY_SIZE = 5 * 1024 * 1024
FILE_UPLOAD_PERMISSIONS = 0o640
UPLOAD_MAX_BYTES = env.int("UPLOAD_MAX_BYTES", default=2 * 1024**3)
"""Largest import file that is accepted, in bytes."""
EXPORT_RETENTION_DAYS = env.int("EXPORT_RETENTION_DAYS", default=7)
"""An exported file can be downloaded for so many days; then it is removed."""

# --- Language and time ---------------------------------------------------------------------------
LANGUAGE_CODE = "en"
LANGUAGES = [("en", "English"), ("zh-hans", "简体中文")]
LOCALE_PATHS = [BASE_DIR / "locale"]
USE_I18N = True
USE_THOUSAND_SEPARATOR = True
FORMAT_MODULE_PATH = ["crm.formats"]
USE_TZ = True
TIME_ZONE = "UTC"

# --- Sign-in and safety --------------------------------------------------------------------------
AUTHENTICATION_BACKENDS = [
    "axes.backends.AxesStandaloneBackend",
    "django.contrib.auth.backends.ModelBackend",
]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}"}
    for name in (
        "UserAttributeSimilarityValidator",
        "MinimumLengthValidator",
        "CommonPasswordValidator",
        "NumericPasswordValidator",
    )
]
ROLES = SEEDED_ROLES
"""The groups a shop starts with; kept right after every migration."""
LOGIN_URL = "/admin/login/"
LOGIN_REDIRECT_URL = "/admin/"
AXES_FAILURE_LIMIT = 10
AXES_COOLOFF_TIME = 0.25
AXES_LOCKOUT_PARAMETERS = [["username", "ip_address"]]
AXES_ENABLE_ACCESS_FAILURE_LOG = False
AXES_VERBOSE = False
AXES_LOCKOUT_CALLABLE = "crm.core.web.sign_in.locked"
# A name and a password, then for who has one the second step; nobody signs up, nothing is mailed.
ACCOUNT_ADAPTER = "crm.core.web.accounts.AccountAdapter"
ACCOUNT_LOGIN_METHODS = {"username"}
ACCOUNT_SIGNUP_FIELDS = ["username*", "password1*"]
ACCOUNT_EMAIL_VERIFICATION = "none"
ACCOUNT_REAUTHENTICATION_METHODS = ["password"]
ACCOUNT_REAUTHENTICATION_TIMEOUT = 600
# Wrong passwords and wrong codes are counted by axes, in the database: for all processes alike.
ACCOUNT_RATE_LIMITS = False
MFA_ADAPTER = "crm.core.web.accounts.SecondStepAdapter"
MFA_SUPPORTED_TYPES = ["totp", "recovery_codes"]
MFA_ALLOW_UNVERIFIED_EMAIL = True
MFA_RECOVERY_CODES_SHOW_ONCE = True
MFA_TOTP_TOLERANCE = 1
"""A phone's clock may be wrong by so many half minutes."""
MFA_TOTP_ISSUER = "Huike"
SECURE_COOKIES = env.bool("SECURE_COOKIES", default=True)
SESSION_COOKIE_SECURE = SECURE_COOKIES
CSRF_COOKIE_SECURE = SECURE_COOKIES
SECURE_SSL_REDIRECT = env.bool("SECURE_SSL_REDIRECT", default=SECURE_COOKIES)
SECURE_REDIRECT_EXEMPT = [r"^livez$", r"^readyz$"]
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if SECURE_COOKIES else None
SECURE_HSTS_SECONDS = env.int("SECURE_HSTS_SECONDS", default=31_536_000 if SECURE_COOKIES else 0)
SECURE_HSTS_INCLUDE_SUBDOMAINS = SECURE_COOKIES
SECURE_HSTS_PRELOAD = SECURE_COOKIES
X_FRAME_OPTIONS = "DENY"
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [SELF],
        "script-src": [SELF, NONCE],
        "style-src": [SELF, "'unsafe-inline'"],
        "img-src": [SELF, "data:"],
        "font-src": [SELF],
        "connect-src": [SELF],
        "object-src": [NONE],
        "base-uri": [SELF],
        "form-action": [SELF],
        "frame-ancestors": [NONE],
    }
}

# --- REST ----------------------------------------------------------------------------------------
REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": [
        "crm.core.api.authentication.ApiKeyAuthentication",
        "rest_framework.authentication.SessionAuthentication",
    ],
    "DEFAULT_PERMISSION_CLASSES": ["crm.core.api.permissions.ScopedModelPermissions"],
    "DEFAULT_PARSER_CLASSES": [
        "crm.core.api.parsers.JSONParser",
    ],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_PAGINATION_CLASS": "crm.core.api.pagination.CursorPages",
    "DEFAULT_FILTER_BACKENDS": ["crm.core.api.filters.ResourceFilterBackend"],
    "DEFAULT_SCHEMA_CLASS": "crm.core.api.schema.ResourceSchema",
    "EXCEPTION_HANDLER": "crm.core.api.problems.problem_handler",
    "COERCE_DECIMAL_TO_STRING": True,
    "URL_FORMAT_OVERRIDE": None,
    "TEST_REQUEST_DEFAULT_FORMAT": "json",
}
SPECTACULAR_SETTINGS = {
    "TITLE": "Huike API",
    "DESCRIPTION": "Customers, orders, scores and the work that computes them.",
    "VERSION": "1",
    "OAS_VERSION": "3.1.0",
    "SERVE_INCLUDE_SCHEMA": False,
    "SCHEMA_PATH_PREFIX": "/api/v1",
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
    # The badge would be drawn by a foreign host.
    "SWAGGER_UI_SETTINGS": {"deepLinking": True, "validatorUrl": None},
    "COMPONENT_SPLIT_REQUEST": True,
    "ENUM_NAME_OVERRIDES": {
        "JobState": "crm.core.enums.JobState",
        "AlertSeverity": "crm.core.enums.AlertSeverity",
        "ImportState": "customers.enums.ImportState",
        "PlaceKind": "customers.enums.PlaceKind",
        "FetchOutcome": "customers.enums.FetchOutcome",
        "ImportFormat": "customers.enums.ImportFormat",
        "ExportKind": "customers.enums.ExportKind",
        "ExportState": "customers.enums.ExportState",
        "FileFormat": "customers.enums.FileFormat",
        "OrderStatus": "customers.enums.OrderStatus",
        "LineKind": "customers.enums.LineKind",
        "RefundKind": "customers.enums.RefundKind",
        "IdentityKind": "customers.enums.IdentityKind",
        "RunState": "analytics.enums.RunState",
    },
}

# --- Background work -----------------------------------------------------------------------------
CELERY_BROKER_URL = env.str("BROKER_URL")
CELERY_TASK_ACKS_LATE = True
CELERY_TASK_REJECT_ON_WORKER_LOST = True
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_SERIALIZER = "json"
CELERY_ACCEPT_CONTENT = ["json"]
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_WORKER_MAX_MEMORY_PER_CHILD = 1_500_000
CELERY_TASK_TIME_LIMIT = 900
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_BROKER_TRANSPORT_OPTIONS = {
    # Longer than any task may run; jobs continue by their own rows, not by redelivery.
    "visibility_timeout": 1200,
    "unacked_restore_interval": 5,
    "unacked_restore_throttle": 1,
}
CELERY_BEAT_SCHEDULE = BEAT_SCHEDULE
CELERY_TIMEZONE = "UTC"
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
JOB_CHUNK_SECONDS = env.float("JOB_CHUNK_SECONDS", default=20.0)
"""A job's chunk aims at this many seconds; two minutes is the most it may take."""
JOB_HEARTBEAT_SECONDS = env.float("JOB_HEARTBEAT_SECONDS", default=5.0)
JOB_STALE_SECONDS = env.float("JOB_STALE_SECONDS", default=30.0)
JOB_MAX_ATTEMPTS = 5
JOB_HINT_AFTER_SECONDS = 5.0
JOB_HINT_AGAIN_SECONDS = 60.0
"""A waiting job is brought to the workers' notice again after this many seconds."""
JOB_RETENTION_DAYS = 90
"""Finished jobs and their error files are kept this long."""
SAMPLE_FILE = str(BASE_DIR / "samples" / "online_retail.parquet")
"""The orders of another shop, to look around with; the container's image has it, too."""
CLV_ENGINE = env.str("CLV_ENGINE", default="newton")
"""Who fits repeat buying and order value: ``newton``, or ``lifetimes``, the slow reference."""
IMPORT_FOLDERS = env.list("IMPORT_FOLDERS", default=[])
"""Folders of this server below which saved imports may read; absolute paths."""
IMPORT_ALLOWED_NETWORKS = env.list("IMPORT_ALLOWED_NETWORKS", default=[])
"""Networks of one's own that saved imports may ask although they are not public: 10.1.0.0/16."""
IMPORT_CA_FILE = env.str("IMPORT_CA_FILE", default="")
"""Certificate authorities that saved imports trust besides the system's (PEM)."""
IMPORT_FETCH_SECONDS = env.float("IMPORT_FETCH_SECONDS", default=600.0)
"""Longest that fetching one file may take; the worker's limit of a task is 900."""
DRY_RUN_ROWS = env.int("DRY_RUN_ROWS", default=150_000)
"""A dry run tries out no more rows of a file: it is one transaction, of two minutes at most."""
IMPORT_FILE_DAYS = env.int("IMPORT_FILE_DAYS", default=30)
"""Uploaded files are kept this long after their import has ended."""
IMPORT_UNDO_DAYS = env.int("IMPORT_UNDO_DAYS", default=30)
"""An import can be undone for so many days; so long is kept what rows were before it."""

# --- Mail ----------------------------------------------------------------------------------------
vars().update(env.email_url("EMAIL_URL", default="consolemail://"))
DEFAULT_FROM_EMAIL = env.str("EMAIL_FROM", default="huike@localhost")
EMAIL_REPLY_TO = env.str("EMAIL_REPLY_TO", default="")
"""Where customers' replies to answers of staff go; empty: to ``EMAIL_FROM``."""
EMAIL_TIMEOUT = 30

# --- Logs ----------------------------------------------------------------------------------------
LOG_FORMAT = env.str("LOG_FORMAT", default="json")
_processors: list[Any] = [
    structlog.contextvars.merge_contextvars,
    structlog.stdlib.add_logger_name,
    structlog.stdlib.add_log_level,
    structlog.processors.TimeStamper(fmt="iso"),
    structlog.processors.format_exc_info,
]
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {
        "main": {
            "()": structlog.stdlib.ProcessorFormatter,
            "foreign_pre_chain": _processors,
            "processor": structlog.processors.JSONRenderer()
            if LOG_FORMAT == "json"
            else structlog.dev.ConsoleRenderer(colors=False),
        }
    },
    "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "main"}},
    "root": {"handlers": ["console"], "level": env.str("LOG_LEVEL", default="INFO")},
    "loggers": {"django.server": {"handlers": ["console"], "propagate": False}},
}
structlog.configure(
    processors=[
        structlog.stdlib.filter_by_level,
        *_processors,
        structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
    ],
    logger_factory=structlog.stdlib.LoggerFactory(),
    cache_logger_on_first_use=True,
)

# --- The web admin -------------------------------------------------------------------------------
_static = lazy(static, str)


UNFOLD = {
    "SITE_TITLE": "Huike 回客",
    "SITE_HEADER": "Huike 回客",
    "SITE_SYMBOL": "storefront",
    "SITE_FAVICONS": [
        {"rel": "icon", "type": "image/svg+xml", "href": _static("huike/favicon.svg")},
    ],
    "SHOW_HISTORY": False,
    "SHOW_VIEW_ON_SITE": False,
    "SHOW_LANGUAGES": True,
    "DASHBOARD_CALLBACK": "customers.admin.dashboard.dashboard_context",
    "ENVIRONMENT": "customers.admin.dashboard.environment_label",
    "STYLES": [_static("huike/admin.css")],
    "SCRIPTS": [_static("huike/page.js")],
    "ACCOUNT": {"navigation": account_links},
    "SIDEBAR": {
        "show_search": False,
        "show_all_applications": False,
        "navigation": NAVIGATION,
    },
}
