{{ config(materialized='incremental', incremental_strategy='insert_overwrite', partition_by='day') }}
-- Whole days are replaced: those that the query gives, and no others.
select day, sum(amount) as revenue
from {{ ref('events_kept') }}
{% if is_incremental() %}
where day >= (select max(day) from {{ this }})
{% endif %}
group by day
