{% test holds(model, that) %}
select * from {{ model }} where ({{ that }}) is not true
{% endtest %}
