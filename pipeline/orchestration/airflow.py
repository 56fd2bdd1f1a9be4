"""The steps as an Airflow 3 DAG: ingestion and compaction mapped per district, then one build.

    arrived → ingest[district …] → unmerged → compact[district …] → build → tidy

Install it with one file in Airflow's ``dags`` folder (and ``pip install 'haulwatch[airflow]'``
wherever tasks run)::

    from pipeline.orchestration.airflow import dag

or, for another interval, ``from pipeline.orchestration.airflow import haulwatch`` and
``dag = haulwatch(every=timedelta(minutes=15))``.

Settings are read by each task from ``HAULWATCH_*`` of Airflow's workers. ``HAULWATCH_HOME`` must
be an absolute path that all of them share; with several machines the ledger is PostgreSQL. A task
uses ``HAULWATCH_THREADS`` processes, and as many districts run at once as Airflow lets them.

The app is then served with ``haulwatch serve --no-worker``. A worker beside the DAG does no harm,
for both take claims and leases; there is only nothing left for one of them.

A task that fails is tried again, unless that changes nothing (failed data tests). Then it becomes
a notice, on the Ingestion page and sent as all notices are. What comes after it runs nevertheless,
on what is there: one district holds up no other, compaction no marts. ``done`` is there for the
run to fail if any of its tasks did.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from airflow.providers.standard.operators.empty import EmptyOperator
from airflow.sdk import DAG, ExceptionRetryPolicy, RetryAction, RetryRule, task

from pipeline.errors import Terminal
from pipeline.orchestration import tasks

#: Most of this is Airflow starting tasks; marts need not be fresher than files arrive.
EVERY = timedelta(minutes=5)
RETRIES, RETRY_DELAY = 2, timedelta(minutes=1)
#: Far beyond any task of a healthy machine: it only frees the next run from one that hangs.
LIMIT = timedelta(hours=2)

#: How Airflow names the instances of a mapped task.
_DISTRICT = "{{ task.op_kwargs['district'] }}"


def haulwatch(
    every: timedelta | str = EVERY, retries: int = RETRIES, retry_delay: timedelta = RETRY_DELAY
) -> DAG:
    """The DAG, to be run ``every`` interval (or cron expression). One run at a time, none late."""
    useless = RetryRule(Terminal, RetryAction.FAIL, reason="would fail again")
    with DAG(
        "haulwatch",
        description="Raw files of the fleet to marts, per district",
        doc_md=__doc__,
        schedule=every,
        start_date=datetime(2026, 1, 1, tzinfo=UTC),
        catchup=False,
        max_active_runs=1,
        auto_register=False,  # only where a file of the dags folder names it
        default_args={
            "retries": retries,
            "retry_delay": retry_delay,
            "retry_policy": ExceptionRetryPolicy([useless]),
            "execution_timeout": LIMIT,
            "on_failure_callback": _failed,
            "on_success_callback": _well,
        },
    ) as made:
        arrived = task(tasks.arrived)()
        ingest = task(map_index_template=_DISTRICT)(tasks.ingest).expand(district=arrived)
        unmerged = task(trigger_rule="all_done")(tasks.unmerged)()
        compact = task(map_index_template=_DISTRICT)(tasks.compact).expand(district=unmerged)
        build = task(trigger_rule="all_done")(tasks.build)()
        tidy = task(trigger_rule="all_done")(tasks.tidy)()
        done = EmptyOperator(
            task_id="done",
            trigger_rule="none_failed",
            on_failure_callback=None,
            on_success_callback=None,
        )
        ingest >> unmerged
        compact >> build >> tidy
        [arrived, ingest, unmerged, compact, build, tidy] >> done
    return made


def _failed(context: dict[str, Any]) -> None:
    error = context.get("exception")
    tasks.failed(_name(context), error if isinstance(error, BaseException) else None)


def _well(context: dict[str, Any]) -> None:
    tasks.well(_name(context))


def _name(context: dict[str, Any]) -> str:
    """The task, and its district if it is mapped: what makes two failures the same trouble."""
    instance = context["ti"]
    district = getattr(instance, "rendered_map_index", None)
    return f"{instance.task_id} {district}" if district else str(instance.task_id)


dag = haulwatch()
