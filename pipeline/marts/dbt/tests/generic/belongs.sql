{% test belongs(model, to, columns) %}
select * from {{ model }} anti join {{ to }} using ({{ columns | join(', ') }})
{% endtest %}
