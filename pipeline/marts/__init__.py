"""clean → analytics: a dbt project and its runner."""
