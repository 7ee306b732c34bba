"""Notes that can be edited and taken back, and tasks for colleagues."""

import crm.core.fields
import django.db.models.deletion
import django.db.models.functions.datetime
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('customers', '0015_ticket_work_hashes'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.AddField(
            model_name='interaction',
            name='deleted_at',
            field=models.DateTimeField(blank=True, editable=False, null=True),
        ),
        migrations.AddField(
            model_name='interaction',
            name='edited_at',
            field=models.DateTimeField(blank=True, null=True, verbose_name='edited'),
        ),
        migrations.CreateModel(
            name='Task',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('public_id', crm.core.fields.PublicIdField(db_default=crm.core.fields.RandomPublicId('tsk'), editable=False, max_length=40, prefix='tsk', unique=True)),
                ('title', models.CharField(max_length=200, verbose_name='what is to be done')),
                ('due_day', models.DateField(verbose_name='due day')),
                ('created_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), verbose_name='created')),
                ('done_at', models.DateTimeField(blank=True, null=True, verbose_name='done')),
                ('assignee', models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL, verbose_name='who does it')),
                ('author', models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL, verbose_name='given by')),
                ('customer', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='customers.customer', verbose_name='customer')),
                ('done_by', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL, verbose_name='done by')),
            ],
            options={
                'verbose_name': 'task',
                'verbose_name_plural': 'tasks',
                'ordering': ['due_day', 'pk'],
                'indexes': [models.Index(fields=['customer', '-created_at'], name='task_by_customer'), models.Index(condition=models.Q(('done_at', None)), fields=['assignee', 'due_day'], name='task_open_of'), models.Index(condition=models.Q(('done_at', None)), fields=['due_day'], name='task_open_by_day')],
                'constraints': [models.CheckConstraint(condition=models.Q(('title', ''), _negated=True), name='task_says_what')],
            },
        ),
    ]
