"""Roles may be limited to sources."""

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("auth", "0012_alter_user_first_name_max_length"),
        ("customers", "0018_tags"),
    ]

    operations = [
        migrations.CreateModel(
            name="RoleSource",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "group",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="auth.group",
                    ),
                ),
                (
                    "source",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="customers.source",
                    ),
                ),
            ],
            options={
                "verbose_name": "source of a role",
                "verbose_name_plural": "sources of roles",
                "default_permissions": (),
                "constraints": [
                    models.UniqueConstraint(fields=("group", "source"), name="role_source_once")
                ],
            },
        ),
    ]
