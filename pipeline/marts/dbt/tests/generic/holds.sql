{% test holds(model, rules, filled=[]) %}
select *
from {{ model }}
where
    {%- for rule in rules %}
    ({{ rule }}) is not true or
    {%- endfor %}
    {%- for column in filled %}
    {{ column }} is null or
    {%- endfor %}
    false
{% endtest %}
