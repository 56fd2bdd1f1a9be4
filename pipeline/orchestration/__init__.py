"""For sites that have an orchestrator: the worker's duties as tasks that another program starts.

``tasks`` knows no orchestrator; ``airflow`` is the one module that imports Airflow.
"""
