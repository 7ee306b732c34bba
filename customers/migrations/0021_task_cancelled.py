"""Tasks that were cancelled instead of done; the running code of before does not name the column."""

from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [("customers", "0020_page_indexes")]

    operations = [
        migrations.AddField(
            model_name="task",
            name="is_cancelled",
            field=models.BooleanField(db_default=False, default=False, verbose_name="cancelled"),
        ),
    ]
