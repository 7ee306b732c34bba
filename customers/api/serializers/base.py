"""What answers of the record share."""

from rest_framework import serializers

from crm.core.api.fields import ReadSerializer


class SourcedSerializer(ReadSerializer):
    """Shows a row's source by its key."""

    def get_fields(self) -> dict[str, serializers.Field]:
        """Return the fields, with the source's key in place of the source."""
        fields = super().get_fields()
        fields["source"] = serializers.CharField(source="source.key", read_only=True)
        return fields
