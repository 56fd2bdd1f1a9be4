"""What all runs together say: tables for people, figures with goals, the README's table."""

from __future__ import annotations

from collections.abc import Sequence

from tests.accuracy import delivery, fatigue, fatigue_tables, marts, states
from tests.accuracy.runs import OTHERS, Outcome
from tests.accuracy.statistics import garwood, wilson
from tests.bench.measure import Goal, Report, table
from tests.tables import ROOT, between
from tests.tables import table as markdown

GOALS = {
    "delivery_exact": Goal(least=1.0),
    "cause_macro_recall": Goal(least=0.8),
    "parked_but_moved": Goal(most=0),
    "state_error_pct": Goal(most=0.5),
    "snap_5s_recall": Goal(least=0.90),
    "snap_false_100h": Goal(most=2),
    "frac_2s_recall": Goal(least=0.95),
    "frac_false_100h": Goal(most=1),
    "drowsy_recall": Goal(least=0.95),
    "drowsy_false_100h": Goal(most=0.5),
    "ear_false_ratio_low95": Goal(most=1.5),
    "ear_recall_gap": Goal(most=10),
    "own_in_blind": Goal(most=0),
}
LABELS = {
    "delivery_exact": "delivery states that are right",
    "cause_macro_recall": "cause of a missing hour, macro recall",
    "parked_but_moved": "hours called parked in which the unit moved",
    "state_error_pct": "moving, idle, off, unknown: worst run's worst state, %",
    "snap_5s_recall": "closures ≥ 5 s, firmware that sends snapshots: recall",
    "snap_false_100h": "… false cases per 100 h moving with the eyes seen",
    "frac_2s_recall": "closures ≥ 2 s, firmware that measures closures: recall",
    "frac_false_100h": "… false cases per 100 h",
    "drowsy_recall": "drowsy ≥ 10 min at ≥ 15 % closed: recall",
    "drowsy_false_100h": "… false cases per 100 h",
    "ear_false_ratio_low95": "false rate, a quarter of open EAR / the rest: lower 95 % limit",
    "ear_recall_gap": "recall, best quarter less worst, points",
    "own_in_blind": "episodes told from eyes that begin in a blind second",
}


#: A table: title, head, rows.
Part = tuple[str, tuple[str, ...], list[tuple[str, ...]]]


class Findings:
    """Everything that was compared, of all runs."""

    def __init__(self, outcomes: Sequence[Outcome]) -> None:
        self.outcomes = outcomes
        self.hours = [hour for outcome in outcomes for hour in outcome.hours]
        pooled = fatigue.Watched()
        self.ear: dict[str, float] = {}
        for outcome in outcomes:
            pooled.add(outcome.watched)
            self.ear |= outcome.ear
        self.matched = fatigue.Matched(pooled)
        self.quarters = fatigue.quarters(self.matched, self.ear)

    def report(self) -> Report:
        """The figures of the contract, and three that must be 0 or are there to be seen."""
        made, matched = Report(GOALS), self.matched
        made.put("delivery_exact", delivery.exact(self.hours))
        if marts.has("device_hour", "cause"):
            made.put("cause_macro_recall", delivery.macro_recall(self.hours), "no hour is missing")
        else:
            made.put("cause_macro_recall", None, "not measured: the marts give no cause yet")
        made.put("parked_but_moved", sum(hour.breach for hour in self.hours))
        errors = [outcome.compared.error_pct() for outcome in self.outcomes]
        made.put("state_error_pct", max((e for e in errors if e is not None), default=None))
        nothing = "nothing to be found was simulated"
        none_seen = "nothing was observed"
        rates = matched.false_cases
        made.put("snap_5s_recall", fatigue_tables.share(matched.recall(fatigue.SNAP)), nothing)
        snap, frac = (rates("microsleep", s) for s in ("snapshot", "closure"))
        made.put("snap_false_100h", fatigue_tables.per_100h(snap), none_seen)
        made.put("frac_2s_recall", fatigue_tables.share(matched.recall(fatigue.FRAC)), nothing)
        made.put("frac_false_100h", fatigue_tables.per_100h(frac), none_seen)
        made.put("drowsy_recall", fatigue_tables.share(matched.recall(fatigue.drowsy)), nothing)
        made.put("drowsy_false_100h", fatigue_tables.per_100h(rates("drowsy")), none_seen)
        lows = [quarter.ratio_low for quarter in self.quarters]
        made.put("ear_false_ratio_low95", max(lows, default=None), none_seen)
        made.put("ear_recall_gap", fatigue.recall_gap(self.quarters), nothing)
        made.put("own_in_blind", matched.watched.blind_starts)
        return made

    def tables(self) -> str:
        """Everything in detail."""
        parts: list[Part] = [
            ("Runs", ("run", "units", "hours", "rows", "steps"), self._run_rows()),
            (
                "Device-hours, at both looks",
                ("right", "told", "hours", ""),
                delivery.state_rows(self.hours),
            ),
            (
                "Why an hour is missing",
                ("cause", "hours", "recall", "95 %", "told instead"),
                delivery.cause_rows(self.hours),
            ),
            (
                "Confidence of a cause",
                ("stated", "hours", "mean", "right", "95 %"),
                delivery.calibration_rows(self.hours),
            ),
            *self._state_parts(),
            (
                "Spells found",
                ("spells", "n", "found", "recall", "95 %"),
                fatigue_tables.recall_rows(self.matched),
            ),
            (
                "False cases",
                ("cases", "n", "hours", "per 100 h", "95 %"),
                fatigue_tables.false_rows(self.matched),
            ),
            (
                "By quarter of open EAR",
                ("open EAR", "operators", "hours", "false", "per 100 h", "ratio ≥", "spells",
                 "recall"),
                fatigue_tables.quarter_rows(self.quarters),
            ),
        ]  # fmt: skip
        return "\n".join(f"{title}\n{table(head, rows)}\n" for title, head, rows in parts)

    def _run_rows(self) -> list[tuple[str, ...]]:
        return [
            (
                o.name,
                f"{o.spec.units}",
                f"{o.spec.hours}",
                f"{o.rows:,}",
                ", ".join(f"{step} {seconds:.0f} s" for step, seconds in o.seconds.items()),
            )
            for o in self.outcomes
        ]

    def _state_parts(self) -> list[Part]:
        parts: list[Part] = []
        for faults in dict.fromkeys(o.spec.faults for o in self.outcomes):
            both = states.Compared()
            for outcome in self.outcomes:
                if outcome.spec.faults == faults:
                    both.merge(outcome.compared)
            wrong = both.misplaced / max(1, both.seconds) * 100
            title = f"Seconds by state, {faults}; {wrong:.3f} % stand in a wrong state or minute"
            parts.append((title, ("state", "true", "told", "% of all"), list(both.rows())))
        return parts

    def about(self) -> str:
        """What was measured, in a sentence."""
        seeds = sorted({o.spec.seed - OTHERS[o.spec.faults] for o in self.outcomes})
        specs = {(o.spec.units, o.spec.hours, o.spec.fatigue_scale) for o in self.outcomes}
        sizes = ", ".join(f"{u} units × {h} hours, tired × {s:g}" for u, h, s in sorted(specs))
        return f"Seeds {', '.join(map(str, seeds))}; {len(self.outcomes)} runs of {sizes}."

    def limits(self, name: str) -> str:
        """The interval of a figure, and how much it rests on."""
        matched = self.matched
        spells = {
            "snap_5s_recall": fatigue.SNAP,
            "frac_2s_recall": fatigue.FRAC,
            "drowsy_recall": fatigue.drowsy,
        }
        rates = {
            "snap_false_100h": ("microsleep", "snapshot"),
            "frac_false_100h": ("microsleep", "closure"),
            "drowsy_false_100h": ("drowsy", None),
        }
        if name in spells:
            hits, n = matched.recall(spells[name])
            return "{:.3f}–{:.3f}, n = {:,}".format(*wilson(hits, n), n)
        if name in rates:
            count, hours = matched.false_cases(*rates[name])
            return "{:.2f}–{:.2f}, {:,.0f} h".format(*garwood(count, hours / 100), hours)
        if name == "delivery_exact":
            return f"{len(self.hours):,} device-hours"
        return ""


def write_readme(found: Findings, made: Report) -> None:
    """Put the figures between the README's marks."""
    rows = []
    for name, label in LABELS.items():
        value, goal = made.figures[name], made.goals[name]
        shown = "not measured" if value is None else f"{value:g}"
        missed = "" if goal.met(value) or value is None else " — missed"
        rows.append((label, str(goal), shown + missed, found.limits(name)))
    content = f"{found.about()}\n\n" + markdown(
        ("figure", "goal", "measured", "95 %, rests on"), rows
    )
    path = ROOT / "README.md"
    text, marks = between("accuracy").subn(lambda m: m[1] + content + m[2], path.read_text())
    if not marks:
        raise SystemExit("README.md has no marker accuracy")
    path.write_text(text)
