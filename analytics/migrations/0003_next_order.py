"""Add the window of the next order and the interval of the order count, old partitions included."""

from django.db import migrations, models

COLUMNS = {
    "orders_low": "double precision CHECK (orders_low >= 0)",
    "orders_high": "double precision",
    "next_order_from": "date",
    "next_order_until": "date",
    "next_order_abstained": "varchar(48) NOT NULL DEFAULT ''",
}
FIELDS = {
    "orders_low": models.FloatField(null=True),
    "orders_high": models.FloatField(null=True),
    "next_order_from": models.DateField(null=True, verbose_name="next order from"),
    "next_order_until": models.DateField(null=True, verbose_name="next order until"),
    "next_order_abstained": models.CharField(
        blank=True,
        default="",
        help_text="A code such as order_unlikely; empty where there is a date.",
        max_length=48,
        verbose_name="no date of the next order because",
    ),
}
# The columns of the view are those the table had when it was made.
VIEW = """
    CREATE VIEW analytics_currentscore AS
        SELECT s.* FROM analytics_customerscore s
        WHERE s.run_id = (SELECT run_id FROM analytics_scorepointer WHERE id = 1);
"""
ADDED = ", ".join(f"ADD COLUMN {name} {kind}" for name, kind in COLUMNS.items())
DROPPED = ", ".join(f"DROP COLUMN {name}" for name in COLUMNS)


class Migration(migrations.Migration):
    dependencies = [("analytics", "0002_score_partitions")]

    operations = [
        migrations.RunSQL(
            sql=f"""
                DROP VIEW analytics_currentscore;
                ALTER TABLE analytics_customerscore
                    {ADDED},
                    ADD CONSTRAINT score_orders_in_order CHECK (orders_low <= orders_high),
                    ADD CONSTRAINT score_next_order_in_order
                        CHECK (next_order_from <= next_order_until),
                    ADD CONSTRAINT score_next_order_has_both_days
                        CHECK ((next_order_from IS NULL) = (next_order_until IS NULL));
                {VIEW}
            """,
            reverse_sql=f"""
                DROP VIEW analytics_currentscore;
                ALTER TABLE analytics_customerscore {DROPPED};
                {VIEW}
            """,
            # Django's history of the two models, whose tables it does not manage.
            state_operations=[
                migrations.AddField(model, name, field)
                for model in ("currentscore", "customerscore")
                for name, field in FIELDS.items()
            ],
        )
    ]
