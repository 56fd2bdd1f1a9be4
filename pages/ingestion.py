"""Ingestion: what the worker does, what waits, what went wrong; run it now."""

from app import data, figures, filters, panels, pickers, tables
from app.backend import backend
from app.charts import delivery
from queries import operations

PAGE = "ingestion"

user = data.require(PAGE)
ledger = backend().ledger
chosen = filters.everything(backend())
panels.header(PAGE, chosen)

counts = operations.line_counts(ledger)
panels.tiles(figures.ingestion.tiles(operations.vitals(ledger), counts))
pickers.ingestion.run_now(ledger, user)

panels.section("ingestion.lines", "ingestion.lines.help")
panels.chart(delivery.line_counts(counts, panels.dark()), "lines", "ingestion.lines")

panels.section("ingestion.runs")
runs = operations.runs(ledger)
panels.table_or(tables.ingestion.runs(runs, chosen.zone), "runs", "ingestion.runs.none")

panels.section("ingestion.files")
found = operations.objects(ledger, *pickers.ingestion.file_filter(operations.status_counts(ledger)))
panels.table_or(tables.ingestion.objects(found, chosen.zone), "files", "ingestion.files.none")

panels.section("ingestion.tests")
tests = operations.test_count(ledger)
panels.table_or(
    tables.ingestion.failed_tests(operations.failed_tests(ledger)),
    "tests",
    "ingestion.tests.none" if tests else "ingestion.tests.never",
    tests=tests,
)

panels.section("ingestion.fields")
fields = tables.ingestion.new_fields(operations.new_fields(ledger))
panels.table_or(fields, "fields", "ingestion.fields.none")

panels.section("ingestion.notices", "ingestion.notices.help")
notices = tables.ingestion.notices(operations.notices(ledger), chosen.zone)
panels.table_or(notices, "notices", "ingestion.notices.none")
