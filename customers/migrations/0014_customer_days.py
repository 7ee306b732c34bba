"""Create the table of what happened to each customer by day, and have it filled."""

import django.contrib.postgres.fields
from django.db import migrations, models
from django.db.models.deletion import DO_NOTHING

PARTS = 16
COLUMNS = {
    "bought_on": "integer",
    "bought_known_on": "integer",
    "bought": "double precision",
    "back_of": "integer",
    "back_known_on": "integer",
    "back": "double precision",
    "costed_on": "integer",
    "costed_known_on": "integer",
    "revenue": "double precision",
    "cost": "double precision",
    "answered_on": "integer",
    "answered": "double precision",
    "answer_kind": "smallint",
    "delivered_on": "integer",
    "delay": "double precision",
    "done_on": "integer",
    "placed": "integer",
    "returned": "integer",
    "opened": "integer",
}
FIELDS = {
    "integer": models.IntegerField,
    "smallint": models.SmallIntegerField,
    "double precision": models.FloatField,
}
TABLE = ",\n".join(f"{name} {kind}[] NOT NULL" for name, kind in COLUMNS.items())
PARTITIONS = "\n".join(
    f"CREATE TABLE customers_customerdays_{part} PARTITION OF customers_customerdays"
    f" FOR VALUES WITH (MODULUS {PARTS}, REMAINDER {part});"
    for part in range(PARTS)
)


class Migration(migrations.Migration):
    dependencies = [("customers", "0013_saved_imports")]

    operations = [
        migrations.RunSQL(
            sql=f"""
                CREATE TABLE customers_customerdays (
                    customer_id bigint PRIMARY KEY,
                    {TABLE}
                ) PARTITION BY HASH (customer_id);
                {PARTITIONS}
            """,
            reverse_sql="DROP TABLE customers_customerdays;",
            state_operations=[
                migrations.CreateModel(
                    name="CustomerDays",
                    fields=[
                        (
                            "customer",
                            models.OneToOneField(
                                db_constraint=False,
                                on_delete=DO_NOTHING,
                                primary_key=True,
                                related_name="+",
                                serialize=False,
                                to="customers.customer",
                            ),
                        ),
                        *(
                            (
                                name,
                                django.contrib.postgres.fields.ArrayField(
                                    base_field=FIELDS[kind](), default=list, size=None
                                ),
                            )
                            for name, kind in COLUMNS.items()
                        ),
                    ],
                    options={
                        "verbose_name": "customer days",
                        "verbose_name_plural": "customer days",
                        "db_table": "customers_customerdays",
                        "managed": False,
                    },
                ),
            ],
        ),
        # The refresh that follows a mark fills the rows of the customers there are.
        migrations.RunSQL(
            sql="INSERT INTO customers_factsmark (customer_id) SELECT id FROM customers_customer",
            reverse_sql=migrations.RunSQL.noop,
        ),
    ]
