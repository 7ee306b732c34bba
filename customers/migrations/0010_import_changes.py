"""Record what an import does to the record, so that it can be undone."""

import django.db.models.deletion
from django.db import migrations, models

TABLES = (
    "customers_customer",
    "customers_identity",
    "customers_consent",
    "customers_category",
    "customers_product",
    "customers_order",
    "customers_orderline",
    "customers_refund",
    "customers_review",
    "customers_surveyresponse",
    "customers_ticket",
    "customers_interaction",
)
# A row's hash is that of its text, which depends on the first three settings: they are the same
# everywhere. Plans are kept: one made for two rows must do for two hundred thousand, too.
FUNCTION = """
    CREATE FUNCTION customers_record_import_change() RETURNS trigger LANGUAGE plpgsql
    SET TimeZone = 'UTC' SET DateStyle = 'ISO, YMD' SET extra_float_digits = 1 SET enable_nestloop = off
    AS $$
    DECLARE
        batch bigint := current_setting('huike.import_batch')::bigint;
    BEGIN
        IF TG_OP = 'INSERT' THEN
            INSERT INTO customers_importchange (batch_id, table_name, row_id, after_hash)
            SELECT batch, TG_TABLE_NAME, new_row.id, md5(new_row::text)::uuid
            FROM new_rows new_row;
        ELSIF TG_OP = 'UPDATE' THEN
            INSERT INTO customers_importchange (batch_id, table_name, row_id, before, after_hash)
            SELECT batch, TG_TABLE_NAME, old_row.id, to_jsonb(old_row), md5(new_row::text)::uuid
            FROM old_rows old_row JOIN new_rows new_row USING (id)
            WHERE old_row *<> new_row;
        ELSE
            INSERT INTO customers_importchange (batch_id, table_name, row_id, before)
            SELECT batch, TG_TABLE_NAME, old_row.id, to_jsonb(old_row)
            FROM old_rows old_row;
        END IF;
        RETURN NULL;
    END $$
"""
REFERENCED = {
    "INSERT": "NEW TABLE AS new_rows",
    "UPDATE": "OLD TABLE AS old_rows NEW TABLE AS new_rows",
    "DELETE": "OLD TABLE AS old_rows",
}


def trigger(table, event):
    """Write the trigger of one table and event; Postgres wants one for each."""
    name = f"import_change_{event.lower()}"
    return migrations.RunSQL(
        f"""
        CREATE TRIGGER {name} AFTER {event} ON {table} REFERENCING {REFERENCED[event]}
        FOR EACH STATEMENT
        WHEN (coalesce(current_setting('huike.import_batch', true), '') <> '')
        EXECUTE FUNCTION customers_record_import_change()
        """,
        f"DROP TRIGGER {name} ON {table}",
    )


class Migration(migrations.Migration):
    dependencies = [
        ("core", "0002_job_language_and_audit_labels"),
        ("customers", "0009_simulated_sources"),
    ]

    operations = [
        migrations.CreateModel(
            name="ImportChange",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("table_name", models.CharField(max_length=63)),
                ("row_id", models.BigIntegerField()),
                ("before", models.JSONField(null=True)),
                ("after_hash", models.UUIDField(null=True)),
                ("batch", models.ForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name="+", to="customers.importbatch")),
            ],
            options={
                "verbose_name": "change by an import",
                "verbose_name_plural": "changes by imports",
                "indexes": [models.Index(fields=["batch", "table_name", "row_id"], name="import_change_by_row")],
            },
        ),
        # Of imports that are there already nothing is on record; later ones say so by themselves.
        migrations.AddField(
            model_name="importbatch",
            name="keeps_changes",
            field=models.BooleanField(default=False, editable=False),
        ),
        migrations.AlterField(
            model_name="importbatch",
            name="keeps_changes",
            field=models.BooleanField(default=True, editable=False),
        ),
        migrations.AddField(
            model_name="importbatch",
            name="undo_job",
            field=models.ForeignKey(blank=True, editable=False, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name="+", to="core.job"),
        ),
        migrations.AddField(
            model_name="importbatch",
            name="undone_at",
            field=models.DateTimeField(blank=True, editable=False, null=True, verbose_name="undone"),
        ),
        migrations.AlterField(
            model_name="importbatch",
            name="state",
            field=models.CharField(choices=[("uploaded", "Uploaded"), ("checked", "Tried out"), ("running", "Running"), ("finished", "Finished"), ("failed", "Failed"), ("cancelled", "Cancelled"), ("undone", "Undone")], default="uploaded", max_length=10, verbose_name="state"),
        ),
        migrations.AddConstraint(
            model_name="importbatch",
            constraint=models.CheckConstraint(condition=models.Q(models.Q(("state", "undone"), ("undone_at__isnull", False)), models.Q(models.Q(("state", "undone"), _negated=True), ("undone_at__isnull", True)), _connector="OR"), name="import_undone_has_time"),
        ),
        migrations.RunSQL(FUNCTION, "DROP FUNCTION customers_record_import_change()"),
        *(trigger(table, event) for table in TABLES for event in REFERENCED),
    ]
