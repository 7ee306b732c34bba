"""Switch on the Postgres extensions that the record's indexes need."""

from django.contrib.postgres.operations import TrigramExtension, UnaccentExtension
from django.db import migrations


class Migration(migrations.Migration):
    initial = True

    dependencies = []

    operations = [TrigramExtension(), UnaccentExtension()]
