{# An amount as a whole number of cents. #}
{% macro cents(column) -%}
  cast(round({{ column }} * 100) as bigint)
{%- endmacro %}
