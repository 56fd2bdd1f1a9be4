"""Thresholds: the numbers that decide what is a case, the ladder of actions, and who set them."""

from app import data, figures, filters, panels, tables
from app.backend import backend

PAGE = "thresholds"

user = data.require(PAGE)
chosen = filters.own(backend(), user)
panels.header(PAGE, chosen)
panels.administration.told()

in_force, history = data.thresholds.in_force(), data.thresholds.history()
panels.tiles(figures.administration.thresholds(in_force, history))

panels.section("thresholds.list")
panels.table(tables.administration.thresholds(in_force), "in_force")

panels.section("thresholds.form", "thresholds.form.help")
panels.administration.threshold(in_force)

panels.section("thresholds.history", "thresholds.history.help")
past = tables.administration.threshold_history(history, chosen.zone)
panels.table_or(past, "history", "thresholds.history.none")

panels.section("ladder.title", "ladder.help")
panels.administration.ladder(data.ladder.in_force(PAGE))
ladders = tables.administration.ladders(data.ladder.history(), chosen.zone)
panels.table_or(ladders, "ladders", "ladder.none")
