{{ config(materialized='incremental', unique_key='event_id') }}
-- Each event once: one that arrives again, corrected, takes the place of what it was.
select event_id, day, user_id, amount
from {{ ref('events') }}
{% if is_incremental() %}
where day >= (select max(day) from {{ this }})
{% endif %}
