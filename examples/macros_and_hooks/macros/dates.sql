{# The month of a date, as in 2026-01: each engine has its own function, the others take the text apart. #}
{% macro duckdb__month_of(column) -%}
  strftime(cast({{ column }} as date), '%Y-%m')
{%- endmacro %}

{% macro postgres__month_of(column) -%}
  to_char(cast({{ column }} as date), 'YYYY-MM')
{%- endmacro %}

{% macro databricks_spark__month_of(column) -%}
  date_format(cast({{ column }} as date), 'yyyy-MM')
{%- endmacro %}

{% macro default__month_of(column) -%}
  substr(cast({{ column }} as varchar), 1, 7)
{%- endmacro %}
