"""Files in the lake of claims that the ledger never saw: an earlier ledger's.

gc leaves them alone, for a new ledger cannot judge them. Once every row and every bad line in them
is visible otherwise, they are of no use to anybody, and gc may have them.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from sqlalchemy import Connection, select

from pipeline.gc import owner
from pipeline.settings import Settings
from pipeline.storage import manifest
from pipeline.storage import tables as t
from pipeline.storage.lake import Lake
from pipeline.storage.ledger import Ledger
from pipeline.storage.parquet import partition_of
from pipeline.storage.records import CLEAN, QUARANTINE, TELEMETRY, DataFile
from pipeline.storage.visible import file_list, literal, telemetry_sql

#: What makes a row, or a bad line, the same.
_IDENTITY = {CLEAN: "deviceid, ts", QUARANTINE: "key, line"}


@dataclass
class Left:
    """Files of an earlier ledger: those ``spare`` by path, and those in a claim with one that is
    ``needed``, by how many rows and bad lines are visible nowhere else."""

    spare: list[str] = field(default_factory=list)
    needed: dict[str, int] = field(default_factory=dict)


def left(ledger: Ledger, settings: Settings, lake: Lake, paths: Iterable[str]) -> Left:
    """Which of these files of the lake an earlier ledger left, and which of them hold what no other
    does. Reads them, and what is visible of their days."""
    with ledger.read() as connection:
        known = {str(row[0]) for row in connection.execute(select(t.claims.c.id))}
        known |= {owner(str(row[0])) for row in connection.execute(select(t.data_files.c.path))}
        strange = sorted(path for path in paths if owner(path) not in known)
        if not strange:
            return Left()
        needed = _needed(connection, settings, lake, strange)
    owners = {owner(path) for path in strange} - {owner(path) for path in needed}
    spare = [path for path in strange if owner(path) in owners]
    return Left(spare, {path: needed.get(path, 0) for path in strange if owner(path) not in owners})


def _needed(
    connection: Connection, settings: Settings, lake: Lake, strange: Sequence[str]
) -> dict[str, int]:
    """Rows and bad lines that are visible nowhere else, by the file that holds them."""
    groups: dict[tuple[str, str, str], list[str]] = defaultdict(list)
    for path in strange:
        if path.endswith(".parquet"):  # the rest was never finished
            groups[(path.split("/", 1)[0], *partition_of(path))].append(path)
    import duckdb

    needed: dict[str, int] = {}
    with duckdb.connect(config=settings.duckdb) as duck:
        for (layer, day, district), paths in sorted(groups.items()):
            if layer not in _IDENTITY:  # marts are made again
                continue
            dataset = TELEMETRY if layer == CLEAN else QUARANTINE
            live = manifest.live(connection, dataset, days=[day], districts=[district])
            with lake.loan() as loan:
                loan.fetch([*paths, *(file.path for file in live)])
                seen = _seen(connection, loan.root, layer, live)
                duck.execute(f"CREATE OR REPLACE TEMP TABLE seen AS {seen}")
                for path in paths:
                    own = f"read_parquet({literal(str(loan.root / path))}, hive_partitioning=false)"
                    query = (
                        f"SELECT count(*) FROM {own} AS own"
                        f" ANTI JOIN seen USING ({_IDENTITY[layer]})"
                    )
                    try:
                        found = duck.execute(query).fetchone()
                    except duckdb.Error:  # what we cannot read may be of use to somebody who can
                        found = (1,)
                    if found and found[0]:
                        needed[path] = int(found[0])
    return needed


def _seen(connection: Connection, root: Path, layer: str, live: Sequence[DataFile]) -> str:
    """SELECT of what is visible in these files, by what makes it the same."""
    if layer == CLEAN:
        rows = telemetry_sql(connection, root, live, ("deviceid",))
        return f"SELECT {_IDENTITY[layer]} FROM ({rows})"
    if not live:
        return "SELECT NULL::VARCHAR AS key, NULL::INTEGER AS line WHERE false"
    return f"SELECT {_IDENTITY[layer]} FROM read_parquet({file_list(root, live)})"
