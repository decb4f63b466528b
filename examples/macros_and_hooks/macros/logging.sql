{% macro count_rows(relation) -%}
  insert into row_log select '{{ relation }}', count(*) from {{ relation }}
{%- endmacro %}

{# What it refers to becomes a dependency of the models that call it. #}
{% macro paid_orders() -%}
  (select * from {{ ref('seed_orders') }} where amount > {{ var('least_amount') }})
{%- endmacro %}
