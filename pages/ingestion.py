"""Ingestion: what the worker does, what waits, what went wrong; run it now, read it again."""

from app import data, drawing, figures, filters, panels, pickers, tables
from app.backend import backend
from app.charts import delivery, ingestion
from queries import ingestion as kept
from queries import operations

PAGE = "ingestion"

user = data.require(PAGE)
ledger = backend().ledger
span = filters.sidebar(backend(), user)
chosen = filters.everything(backend())
panels.header(PAGE, chosen)

counts = operations.line_counts(ledger)
waiting = data.delivery.backlog(PAGE)
panels.tiles(figures.ingestion.tiles(operations.vitals(ledger), counts, waiting))
pickers.ingestion.run_now(ledger, user)

panels.section("ingestion.age", "ingestion.age.help")
ages = data.delivery.ages(PAGE)
drawn = drawing.once(ingestion.ages, ages, chosen.zone, panels.dark())
panels.chart(drawn, "age", "ingestion.age")

panels.section("ingestion.lines", "ingestion.lines.help")
drawn = drawing.once(delivery.line_counts, counts, panels.dark())
panels.chart(drawn, "lines", "ingestion.lines")

panels.section("ingestion.requests", "ingestion.requests.help")
panels.ingestion.requests(PAGE, chosen.zone)

panels.section("ingestion.reread", "ingestion.reread.help")
pickers.rereading.form(PAGE, operations.districts(ledger), user.districts)
panels.ingestion.stale(kept.stale_rules(ledger))

panels.section(
    "ingestion.quarantine", "ingestion.quarantine.help", first=span.first, last=span.last
)
panels.ingestion.bad_lines(PAGE, span)

panels.section("ingestion.workers")
panels.ingestion.running(chosen.zone)

panels.section("ingestion.runs")
panels.ingestion.runs(PAGE, chosen.zone)

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
