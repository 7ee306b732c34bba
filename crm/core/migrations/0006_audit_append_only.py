"""The audit log only grows: the database refuses to change it or to take from it.

Whoever leaves is taken out of it as a row (the foreign keys become null), and the name written down
with the entry stays. Emptying the whole table is refused too, but for a connection that says it
means it, as tests do: SET huike.may_empty_audit = 'on'.
"""

from django.db import migrations, models

FORWARD = """
CREATE FUNCTION core_auditentry_append_only() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'TRUNCATE' THEN
        IF coalesce(current_setting('huike.may_empty_audit', true), '') = 'on' THEN
            RETURN NULL;
        END IF;
    ELSIF TG_OP = 'UPDATE' THEN
        IF (to_jsonb(NEW) - 'actor_id' - 'api_key_id')
                = (to_jsonb(OLD) - 'actor_id' - 'api_key_id')
            AND (NEW.actor_id IS NULL OR NEW.actor_id = OLD.actor_id)
            AND (NEW.api_key_id IS NULL OR NEW.api_key_id = OLD.api_key_id) THEN
            RETURN NEW;
        END IF;
    END IF;
    RAISE EXCEPTION 'The audit log is append-only.' USING ERRCODE = 'insufficient_privilege';
END $$;
CREATE TRIGGER core_auditentry_rows BEFORE UPDATE OR DELETE ON core_auditentry
    FOR EACH ROW EXECUTE FUNCTION core_auditentry_append_only();
CREATE TRIGGER core_auditentry_whole BEFORE TRUNCATE ON core_auditentry
    FOR EACH STATEMENT EXECUTE FUNCTION core_auditentry_append_only();
"""
BACKWARD = """
DROP TRIGGER core_auditentry_whole ON core_auditentry;
DROP TRIGGER core_auditentry_rows ON core_auditentry;
DROP FUNCTION core_auditentry_append_only();
"""


class Migration(migrations.Migration):
    dependencies = [("core", "0005_roles")]

    operations = [
        migrations.AddField(
            model_name="auditentry",
            name="actor_name",
            field=models.CharField(
                blank=True, db_default="", default="", max_length=150, verbose_name="name"
            ),
        ),
        migrations.AddIndex(
            model_name="auditentry",
            index=models.Index(fields=["action", "-id"], name="audit_by_action"),
        ),
        migrations.AddIndex(
            model_name="auditentry",
            index=models.Index(fields=["actor", "-id"], name="audit_by_actor"),
        ),
        migrations.RunSQL(FORWARD, BACKWARD),
    ]
