"""Add the margin in 12 months, tables that wait to be published included."""

from django.db import migrations, models

# A run that was scored and is not published yet has a table of its own, which could not be attached
# if its columns were not those of the table all read.
WAITING = r"""
    DO $$
    DECLARE waiting regclass;
    BEGIN
        FOR waiting IN
            SELECT oid FROM pg_class
            WHERE relname LIKE 'score\_of\_run\_%' AND relkind = 'r' AND NOT relispartition
                AND pg_table_is_visible(oid)
        LOOP
            EXECUTE format('ALTER TABLE %s {}', waiting);
        END LOOP;
    END $$;
"""
ROWS = """
    VIEW analytics_currentscore AS
        SELECT s.* FROM analytics_customerscore s
        WHERE s.run_id = (SELECT run_id FROM analytics_scorepointer WHERE id = 1);
"""
ADD = "ADD COLUMN margin_12m numeric(16, 2)"
DROP = "DROP COLUMN margin_12m"


class Migration(migrations.Migration):
    dependencies = [("analytics", "0003_next_order")]

    operations = [
        migrations.RunSQL(
            # The view keeps its columns and gets one more at its end: who reads it reads on.
            sql=f"""
                ALTER TABLE analytics_customerscore {ADD};
                {WAITING.format(ADD)}
                CREATE OR REPLACE {ROWS}
            """,
            reverse_sql=f"""
                DROP VIEW analytics_currentscore;
                ALTER TABLE analytics_customerscore {DROP};
                {WAITING.format(DROP)}
                CREATE {ROWS}
            """,
            # Django's history of the two models, whose tables it does not manage.
            state_operations=[
                migrations.AddField(
                    model,
                    "margin_12m",
                    models.DecimalField(
                        decimal_places=2,
                        max_digits=16,
                        null=True,
                        verbose_name="margin in 12 months",
                    ),
                )
                for model in ("currentscore", "customerscore")
            ],
        )
    ]
