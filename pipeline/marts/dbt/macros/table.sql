{# The scratch database is new and nobody else's: no other name first, no renaming, no hooks. #}
{% materialization table, adapter='duckdb' %}
    {%- set target = this.incorporate(type='table') -%}
    {% call statement('main') -%}
        create or replace table {{ target }} as ({{ compiled_code }})
    {%- endcall %}
    {{ adapter.commit() }}
    {{ return({'relations': [target]}) }}
{% endmaterialization %}
