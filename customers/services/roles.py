"""Limit a role to sources, and let it see all again."""

from collections.abc import Collection

from django.contrib.auth.models import Group
from django.db import transaction

from crm.core.services.audit import record_audit
from customers.models import RoleSource, Source
from customers.selectors.reach import limits_of_role


def limit_role(*, group_id: int, sources: Collection[Source], user_id: int | None) -> None:
    """Let a role see what is of these sources, or all with none; on record where that is new."""
    wanted = {source.pk for source in sources}
    with transaction.atomic():
        role = Group.objects.select_for_update().get(pk=group_id)
        if wanted == set(limits_of_role(group_id)):
            return
        rows = RoleSource.objects.filter(group=role)
        rows.exclude(source__in=wanted).delete()
        RoleSource.objects.bulk_create(
            [RoleSource(group=role, source_id=pk) for pk in sorted(wanted)], ignore_conflicts=True
        )
        names = sorted(source.name for source in sources)
        record_audit(
            actor_id=user_id,
            action="role.limited" if wanted else "role.unlimited",
            object_type="auth.group",
            object_id=str(group_id),
            details={"role": role.name, "sources": ", ".join(names)},
        )
