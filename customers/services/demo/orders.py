"""Move the sample's dates to the present, by whole weeks, so that week days stay true."""

from datetime import datetime, timedelta
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

TIME_COLUMN = "InvoiceDate"


def weeks_to_shift(last: datetime, now: datetime) -> int:
    """Return the whole weeks that bring ``last`` to less than 7 days before ``now``."""
    return max(0, (now - last) // timedelta(weeks=1))


def shift_sample(*, sample: Path, target: Path, now: datetime) -> int:
    """Write a copy of ``sample`` whose last order is under 7 days old; return the weeks it moved.

    ``now`` is shop-local and naive, as the file's times are. Nothing but the time changes, and no
    order comes to lie in the future.
    """
    source = pq.ParquetFile(sample)
    last = max(
        pc.max(batch.column(TIME_COLUMN)).as_py()
        for batch in source.iter_batches(columns=[TIME_COLUMN])
    )
    weeks = weeks_to_shift(last, now)
    moved = pa.scalar(timedelta(weeks=weeks), pa.duration("us"))
    with pq.ParquetWriter(target, source.schema_arrow) as writer:
        for batch in source.iter_batches():
            place = batch.schema.get_field_index(TIME_COLUMN)
            times = pc.add(batch.column(place), moved)
            writer.write_batch(batch.set_column(place, batch.schema.field(place), times))
    return weeks
