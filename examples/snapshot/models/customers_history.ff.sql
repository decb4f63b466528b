{{ config(materialized='snapshot', unique_key='id', strategy='timestamp', updated_at='updated_at',
          hard_deletes='invalidate') }}
select id, name, city, updated_at
from {{ ref('seed_customers') }}
