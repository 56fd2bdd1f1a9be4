"""Bad lines, kept with their bytes, key and line number."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

import pyarrow as pa

from pipeline.ingest.salvage import BadLine
from pipeline.storage.lake import Lake
from pipeline.storage.parquet import Writer, partition_path
from pipeline.storage.records import QUARANTINE, NewFile, RawFile

SCHEMA = pa.schema(
    [
        ("_src", pa.int64()),
        ("key", pa.string()),
        ("line", pa.int32()),
        ("reason", pa.string()),
        ("bytes", pa.binary()),
    ]
)


def write(
    lake: Lake, claim_id: str, lines: list[tuple[RawFile, int, BadLine]]
) -> Iterator[NewFile]:
    """One file a district and day of the path; ``lines`` are (file, ``_src``, bad line)."""
    groups: dict[tuple[str, str], list[tuple[RawFile, int, BadLine]]] = defaultdict(list)
    for item in lines:
        hour = item[0].hour
        groups[f"{hour[:4]}-{hour[4:6]}-{hour[6:8]}", item[0].district].append(item)
    for number, ((day, district), items) in enumerate(sorted(groups.items())):
        path = partition_path(
            QUARANTINE, QUARANTINE, day, district, f"{claim_id}-q{number}.parquet"
        )
        columns = [
            [src for _, src, _ in items],
            [file.key for file, _, _ in items],
            [bad.line for _, _, bad in items],
            [bad.reason for _, _, bad in items],
            [bad.content for _, _, bad in items],
        ]
        with Writer(lake, path, SCHEMA, level=3) as writer:
            writer.write(pa.table(columns, schema=SCHEMA))
            size = writer.close()
        yield NewFile(QUARANTINE, QUARANTINE, path, day, district, rows=len(items), bytes=size)
