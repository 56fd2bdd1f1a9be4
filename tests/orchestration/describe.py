"""Run by Airflow's Python: what Airflow makes of a folder of DAG files, as JSON."""

from __future__ import annotations

import json
import sys
from typing import Any

from airflow.dag_processing.dagbag import DagBag


def names(callbacks: Any) -> list[str]:
    """Airflow keeps one callback as it is in mapped tasks, and as a list in others."""
    found = callbacks if isinstance(callbacks, (list, tuple)) else [callbacks]
    return [callback.__name__ for callback in found]


def main(folder: str) -> None:
    bag = DagBag(folder)
    dags = [
        {
            "id": dag.dag_id,
            "file": dag.fileloc,
            "max_active_runs": dag.max_active_runs,
            "catchup": dag.catchup,
            "schedule": str(dag.schedule),
            "tasks": {
                task.task_id: {
                    "mapped": task.is_mapped,
                    "after": sorted(task.upstream_task_ids),
                    "trigger_rule": str(task.trigger_rule.value),
                    "retries": task.retries,
                    "retry_delay": task.retry_delay.total_seconds(),
                    "limit": task.execution_timeout.total_seconds(),
                    "on_failure": names(task.on_failure_callback),
                    "on_success": names(task.on_success_callback),
                }
                for task in dag.tasks
            },
        }
        for dag in bag.dags.values()
    ]
    print(json.dumps({"errors": bag.import_errors, "dags": dags}))


if __name__ == "__main__":
    main(sys.argv[1])
