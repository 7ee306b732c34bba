"""Create the score table, one partition per run, and the view that reads the published run."""

from django.db import migrations

COLUMNS = """
    r_score smallint,
    f_score smallint,
    m_score smallint,
    rfm_group varchar(24),
    p_alive double precision CHECK (p_alive BETWEEN 0 AND 1),
    churn_probability double precision CHECK (churn_probability BETWEEN 0 AND 1),
    churn_low double precision,
    churn_high double precision,
    expected_orders double precision CHECK (expected_orders >= 0),
    predicted_clv numeric(16, 2),
    clv_low numeric(16, 2),
    clv_high numeric(16, 2),
    clv_12m numeric(16, 2),
    satisfaction double precision CHECK (satisfaction BETWEEN 0 AND 100),
    satisfaction_low double precision,
    satisfaction_high double precision,
    satisfaction_n_eff double precision,
    satisfaction_inferred double precision,
    reasons jsonb NOT NULL DEFAULT '{}',
    abstained varchar(48) NOT NULL DEFAULT ''
"""


class Migration(migrations.Migration):
    dependencies = [("analytics", "0001_scores"), ("customers", "0002_record")]

    operations = [
        migrations.RunSQL(
            sql=f"""
                CREATE TABLE analytics_customerscore (
                    run_id bigint NOT NULL,
                    customer_id bigint NOT NULL,
                    {COLUMNS},
                    PRIMARY KEY (run_id, customer_id)
                ) PARTITION BY LIST (run_id);
                CREATE INDEX analytics_score_by_churn
                    ON analytics_customerscore (churn_probability DESC NULLS LAST);
                CREATE INDEX analytics_score_by_clv
                    ON analytics_customerscore (predicted_clv DESC NULLS LAST);
                CREATE INDEX analytics_score_by_group ON analytics_customerscore (rfm_group);
                CREATE VIEW analytics_currentscore AS
                    SELECT s.* FROM analytics_customerscore s
                    WHERE s.run_id = (SELECT run_id FROM analytics_scorepointer WHERE id = 1);
            """,
            reverse_sql="""
                DROP VIEW analytics_currentscore;
                DROP TABLE analytics_customerscore;
            """,
        )
    ]
