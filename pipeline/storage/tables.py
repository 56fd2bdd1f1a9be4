"""The ledger's tables, all of them, and nothing else.

Times are microseconds since 1970, UTC (``*_at``, ``*_ts``): one integer compares the same on
SQLite and on PostgreSQL. What is stored as JSON is text, written and read by this package only.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Float,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    PrimaryKeyConstraint,
    String,
    Table,
    Text,
    UniqueConstraint,
    text,
)

metadata = MetaData()

#: Ids that the database mints: SQLite only counts by itself on INTEGER.
_ID = BigInteger().with_variant(Integer, "sqlite")

#: Of an index on raw_objects: versions that are not replaced.
_LIVE: Any = {
    "sqlite_where": text("dead_at IS NULL"),
    "postgresql_where": text("dead_at IS NULL"),
}

#: Named counters. ``data`` moves with every change of what is visible: pages key caches on it.
counters = Table(
    "counters",
    metadata,
    Column("name", String, primary_key=True),
    Column("value", BigInteger, nullable=False),
)

#: Zones as first used, by district: files are dated by them, so they cannot change silently.
zones = Table(
    "zones",
    metadata,
    Column("district", String, primary_key=True),
    Column("zone", String, nullable=False),
)

#: One row a raw key: what the store shows, and who is at work on it.
raw_keys = Table(
    "raw_keys",
    metadata,
    Column("key", String, primary_key=True),
    Column("district", String),
    Column("deviceid", String),
    Column("hour", String),
    Column("etag", String, nullable=False),
    Column("size", BigInteger, nullable=False),
    Column("arrived_at", BigInteger, nullable=False),
    Column("seen_at", BigInteger, nullable=False),
    # pending | done | failed | ignored
    Column("state", String, nullable=False),
    Column("claim_id", String),
    Column("suspect", Boolean, nullable=False, default=False),
    Column("attempts", Integer, nullable=False, default=0),
    # to be read again although its content is in: `reingest` asked for it
    Column("reread", Boolean, nullable=False, default=False),
    Column("error", Text),
    Index("raw_keys_state", "state", "claim_id"),
    Index("raw_keys_hour", "hour", "district"),
    Index("raw_keys_arrived", "arrived_at"),
)

#: One row an object version, fixed at its commit. ``id`` is ``_src`` in ``clean``.
raw_objects = Table(
    "raw_objects",
    metadata,
    Column("id", BigInteger, primary_key=True, autoincrement=False),
    Column("key", String, nullable=False),
    Column("sha256", String, nullable=False),
    Column("district", String, nullable=False),
    Column("deviceid", String, nullable=False),
    Column("hour", String, nullable=False),
    Column("size", BigInteger, nullable=False),
    Column("status", String, nullable=False),
    Column("arrived_at", BigInteger, nullable=False),
    # Of two objects with the same second, the one with the larger (rank_at, key) is seen.
    # arrived_at, but for a damaged version that only adds to the one before it: just below that.
    Column("rank_at", BigInteger, nullable=False),
    Column("committed_at", BigInteger, nullable=False),
    Column("lines", BigInteger, nullable=False),
    Column("accepted", BigInteger, nullable=False),
    Column("duplicate", BigInteger, nullable=False),
    Column("quarantined", BigInteger, nullable=False),
    Column("blank", BigInteger, nullable=False),
    # of the rows in live files, those that a live version of a larger rank beats
    Column("overlapped", BigInteger, nullable=False, default=0),
    # accepted rows that are no longer kept: their day was older than the site keeps rows
    Column("expired", BigInteger, nullable=False, default=0),
    Column("rescued", BigInteger, nullable=False, default=0),
    Column("min_ts", BigInteger),
    Column("max_ts", BigInteger),
    Column("unitno", String),
    Column("fwversion", String),
    Column("flags", Text, nullable=False, default=""),
    Column("error", Text),
    Column("rules_version", Integer, nullable=False),
    Column("dead_at", BigInteger),
    Index("raw_objects_key", "key"),
    Index("raw_objects_device", "deviceid", "min_ts"),
    Index("raw_objects_hour", "hour", "district"),
    Index("raw_objects_time", "district", "max_ts"),
    Index("raw_objects_committed", "committed_at", "arrived_at"),
    Index("raw_objects_status", "status", "arrived_at", **_LIVE),
    Index("raw_objects_rules", "rules_version", **_LIVE),
)

claims = Table(
    "claims",
    metadata,
    Column("id", String, primary_key=True),
    Column("kind", String, nullable=False),
    Column("worker", String, nullable=False),
    Column("taken_at", BigInteger, nullable=False),
    Column("expires_at", BigInteger, nullable=False),
    # NULL while held; committed | released | expired
    Column("outcome", String),
    Column("ended_at", BigInteger),
)

#: Named locks with an end, for what one process does at a time.
leases = Table(
    "leases",
    metadata,
    Column("name", String, primary_key=True),
    Column("holder", String, nullable=False),
    Column("expires_at", BigInteger, nullable=False),
)

#: The manifest: every file that is or was visible. A file's name begins with the id of the claim
#: that writes it, so gc knows the owner of a file that is not (yet) in here.
data_files = Table(
    "data_files",
    metadata,
    Column("id", _ID, primary_key=True, autoincrement=True),
    Column("claim_id", String, nullable=False),
    # clean | analytics | quarantine
    Column("layer", String, nullable=False),
    # telemetry, or the mart's name
    Column("dataset", String, nullable=False),
    Column("path", String, nullable=False, unique=True),
    Column("hiveperiod", String, nullable=False),
    Column("dstrct_code", String, nullable=False),
    Column("rows", BigInteger, nullable=False),
    Column("bytes", BigInteger, nullable=False),
    Column("min_ts", BigInteger),
    Column("max_ts", BigInteger),
    # JSON list of the unit numbers inside, for pruning
    Column("units", Text, nullable=False, default="[]"),
    # rows that readers leave out: the sum over its sources
    Column("hidden", BigInteger, nullable=False, default=0),
    Column("compacted", Boolean, nullable=False, default=False),
    Column("committed_at", BigInteger, nullable=False),
    Column("version", BigInteger, nullable=False),
    Column("superseded_at", BigInteger),
    Index("data_files_live", "dataset", "hiveperiod", "dstrct_code", "superseded_at"),
)

#: Which object versions' rows a data file holds, and how many of them readers leave out because
#: the version is dead or beaten there. Spans are of one local day: overlaps are looked up here.
file_sources = Table(
    "file_sources",
    metadata,
    Column("file_id", BigInteger, ForeignKey("data_files.id"), nullable=False),
    Column("src", BigInteger, nullable=False),
    Column("deviceid", String, nullable=False),
    Column("rows", BigInteger, nullable=False),
    Column("hidden", BigInteger, nullable=False, default=0),
    Column("min_ts", BigInteger, nullable=False),
    Column("max_ts", BigInteger, nullable=False),
    PrimaryKeyConstraint("file_id", "src"),
    Index("file_sources_src", "src"),
    Index("file_sources_device", "deviceid", "min_ts"),
)

#: Runs of an object version's rows that another version's rows at the same seconds beat. Between
#: ``lo`` and ``hi``, both included, every row of the version is beaten. All of one local day.
beaten = Table(
    "beaten",
    metadata,
    Column("src", BigInteger, nullable=False),
    Column("lo", BigInteger, nullable=False),
    Column("hi", BigInteger, nullable=False),
    Column("rows", BigInteger, nullable=False),
    PrimaryKeyConstraint("src", "lo"),
)

#: Versions by local day and district. Dirty is never a flag: a day is to be compacted while
#: data_version > compacted_version, and to be built while data_version or context_version (its
#: neighbours, its closed hours, the register) > built_version. A day whose rows were let go
#: (clean_expired_at) is not built any more: what comes late is not the day.
partitions = Table(
    "partitions",
    metadata,
    Column("hiveperiod", String, nullable=False),
    Column("dstrct_code", String, nullable=False),
    Column("data_version", BigInteger, nullable=False),
    Column("context_version", BigInteger, nullable=False, default=0),
    Column("closed_hours", Integer, nullable=False, default=0),
    Column("compacted_version", BigInteger, nullable=False, default=0),
    Column("built_version", BigInteger, nullable=False, default=0),
    Column("built_at", BigInteger),
    # what each hour was made of when it was built (JSON): see pipeline.marts.hours
    Column("hours", Text),
    Column("clean_expired_at", BigInteger),
    Column("marts_expired_at", BigInteger),
    # when its marts lost the operators of cases that nobody confirmed
    Column("unlinked_at", BigInteger),
    PrimaryKeyConstraint("hiveperiod", "dstrct_code"),
)

#: Fields that are not in the dictionary, in the order in which they were met.
fields = Table(
    "fields",
    metadata,
    Column("id", _ID, primary_key=True, autoincrement=True),
    Column("name", String, nullable=False, unique=True),
    Column("folded", String, nullable=False, unique=True),
    Column("type", String, nullable=False),
    Column("first_key", String, nullable=False),
    Column("seen_at", BigInteger, nullable=False),
)

devices = Table(
    "devices",
    metadata,
    Column("deviceid", String, nullable=False),
    Column("unitno", String, nullable=False),
    Column("unittype", String, nullable=False),
    Column("dstrct_code", String, nullable=False),
    Column("model", String, nullable=False, default=""),
    # ISO dates, local; valid_to is the last valid day, NULL while open
    Column("valid_from", String, nullable=False),
    Column("valid_to", String),
    PrimaryKeyConstraint("deviceid", "valid_from"),
)

runs = Table(
    "runs",
    metadata,
    Column("id", _ID, primary_key=True, autoincrement=True),
    # ingest | compact | build | gc | adopt
    Column("kind", String, nullable=False),
    Column("worker", String, nullable=False),
    Column("started_at", BigInteger, nullable=False),
    Column("ended_at", BigInteger),
    # running | ok | failed
    Column("status", String, nullable=False),
    Column("detail", Text, nullable=False, default="{}"),
)

workers = Table(
    "workers",
    metadata,
    Column("id", String, primary_key=True),
    Column("started_at", BigInteger, nullable=False),
    Column("seen_at", BigInteger, nullable=False),
    Column("state", String, nullable=False),
)

#: Work that a person asked for from the pages; the worker takes the oldest first.
requests = Table(
    "requests",
    metadata,
    Column("id", _ID, primary_key=True, autoincrement=True),
    # ingest | build | compact | reread
    Column("kind", String, nullable=False),
    Column("who", String, nullable=False),
    Column("asked_at", BigInteger, nullable=False),
    Column("taken_at", BigInteger),
    # asked | taken | done | failed | cancelled
    Column("state", String, nullable=False, server_default="asked"),
    # JSON: what it is about; how far it is, and in the end what came of it
    Column("detail", Text, nullable=False, server_default="{}"),
    Column("result", Text, nullable=False, server_default="{}"),
    Column("error", Text),
    Column("worker", String),
    Column("ended_at", BigInteger),
)

#: Results of the marts' tests, one row a test of the latest run over a set of partitions.
mart_tests = Table(
    "mart_tests",
    metadata,
    Column("run_id", BigInteger, nullable=False),
    Column("test", String, nullable=False),
    Column("model", String, nullable=False),
    Column("severity", String, nullable=False),
    Column("status", String, nullable=False),
    Column("failures", BigInteger, nullable=False),
    Column("message", Text),
    PrimaryKeyConstraint("run_id", "test"),
)

users = Table(
    "users",
    metadata,
    Column("username", String, primary_key=True),
    Column("name", String, nullable=False),
    Column("password_hash", String, nullable=False),
    Column("role", String, nullable=False),
    # JSON list; empty means every district
    Column("districts", Text, nullable=False, default="[]"),
    Column("disabled", Boolean, nullable=False, default=False),
    Column("token_version", Integer, nullable=False, default=1),
    Column("created_at", BigInteger, nullable=False),
)

sign_ins = Table(
    "sign_ins",
    metadata,
    Column("id", _ID, primary_key=True, autoincrement=True),
    Column("username", String, nullable=False),
    Column("address", String, nullable=False),
    Column("at", BigInteger, nullable=False),
    Column("ok", Boolean, nullable=False),
    Index("sign_ins_who", "username", "address", "at"),
    Index("sign_ins_address", "address", "at"),
    Index("sign_ins_at", "at"),
)

#: Links by which a home without users gets its first administrator. The token itself is not kept.
setup_links = Table(
    "setup_links",
    metadata,
    Column("token_hash", String, primary_key=True),
    Column("expires_at", BigInteger, nullable=False),
    Column("used_at", BigInteger),
)

#: When people looked at the overview, so that it can say what changed since: one row a person.
visits = Table(
    "visits",
    metadata,
    Column("username", String, primary_key=True),
    # end of the visit before the present one; NULL on the first
    Column("before_at", BigInteger),
    Column("seen_at", BigInteger, nullable=False),
)

#: What people are to be told, one row a topic: said once, and again only after a while.
notices = Table(
    "notices",
    metadata,
    # what makes two messages the same: "failed/MLKB/HW-1/2026013107/2026013107.txt.gz"
    Column("topic", String, primary_key=True),
    # failed | partial | fields | silence | tests | fatigue
    Column("kind", String, nullable=False),
    Column("title", Text, nullable=False),
    Column("body", Text, nullable=False),
    Column("first_at", BigInteger, nullable=False),
    Column("last_at", BigInteger, nullable=False),
    Column("times", Integer, nullable=False),
    # NULL while it waits to be sent
    Column("sent_at", BigInteger),
    Column("tries", Integer, nullable=False, default=0),
    Column("error", Text),
)

#: Who did what; triggers refuse any change of a row.
audit = Table(
    "audit",
    metadata,
    Column("id", _ID, primary_key=True, autoincrement=True),
    Column("at", BigInteger, nullable=False),
    Column("who", String, nullable=False),
    Column("what", String, nullable=False),
    Column("subject", String, nullable=False, default=""),
    Column("detail", Text, nullable=False, default="{}"),
    Index("audit_at", "at"),
)

#: Thresholds as they were set: the newest row of a name is in force, none: its default.
thresholds = Table(
    "thresholds",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("name", String, nullable=False),
    Column("value", Float, nullable=False),
    Column("set_at", BigInteger, nullable=False),
    Column("set_by", String, nullable=False),
    Column("reason", Text, nullable=False, server_default="", default=""),
)

#: Ladders of actions as they were set: the newest row is in force, none: the usual one.
ladders = Table(
    "ladders",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    # a JSON list of words, from the first time in a shift on
    Column("steps", Text, nullable=False),
    Column("set_at", BigInteger, nullable=False),
    Column("set_by", String, nullable=False),
    Column("reason", Text, nullable=False),
)

#: Fatigue cases, minted once. Builds find them again by overlap, so reviews survive late files and
#: new thresholds; one that is found no more is withdrawn, never deleted. Times in µs.
fatigue_cases = Table(
    "fatigue_cases",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("hiveperiod", String, nullable=False),
    Column("dstrct_code", String, nullable=False),
    Column("unitno", String, nullable=False),
    Column("operator", String, nullable=False),
    Column("started_at", BigInteger, nullable=False),
    Column("ended_at", BigInteger, nullable=False),
    Column("minted_at", BigInteger, nullable=False),
    Column("withdrawn_at", BigInteger),
    # when a person first opened it, and who
    Column("opened_at", BigInteger),
    Column("opened_by", String),
    # when its operator was let go: "operator" is empty since
    Column("unlinked_at", BigInteger),
    Index("fatigue_cases_of_a_day", "dstrct_code", "hiveperiod"),
)

#: What people said of a case, oldest first: rows are added, never changed. No row: it is new.
case_reviews = Table(
    "case_reviews",
    metadata,
    Column("id", _ID, primary_key=True, autoincrement=True),
    # The number in a case's name
    Column("case_number", Integer, ForeignKey("fatigue_cases.id"), nullable=False),
    # acknowledged | confirmed | false_alarm | not_assessable
    Column("state", String, nullable=False),
    # clip | radio | face_to_face | data_only; always there with a verdict
    Column("basis", String),
    # a step of the ladder as it was offered then
    Column("action", String),
    Column("note", Text, nullable=False, default=""),
    Column("fit_to_work", Boolean),
    Column("sleep_h", Float),
    Column("who", String, nullable=False),
    Column("reviewed_at", BigInteger, nullable=False),
    Index("case_reviews_of_a_case", "case_number"),
)

#: The downtime log, in µs: ``[start_ts, end_ts)``. Rows of one unit never overlap.
downtime = Table(
    "downtime",
    metadata,
    Column("id", _ID, primary_key=True, autoincrement=True),
    Column("dstrct_code", String, nullable=False),
    Column("unitno", String, nullable=False),
    Column("start_ts", BigInteger, nullable=False),
    Column("end_ts", BigInteger, nullable=False),
    # one of pipeline.downtime.CODES
    Column("code", String, nullable=False),
    Column("note", Text, nullable=False, default=""),
    Column("imported_at", BigInteger, nullable=False),
    Column("imported_by", String, nullable=False),
    UniqueConstraint("dstrct_code", "unitno", "start_ts"),
)

#: What time the log of a district covers, in µs: ``[from_ts, to_ts)``, disjoint. A unit without a
#: row in there had no downtime; outside of every span nothing is known.
downtime_spans = Table(
    "downtime_spans",
    metadata,
    Column("dstrct_code", String, nullable=False),
    Column("from_ts", BigInteger, nullable=False),
    Column("to_ts", BigInteger, nullable=False),
    Column("imported_at", BigInteger, nullable=False),
    PrimaryKeyConstraint("dstrct_code", "from_ts"),
)
