{{ config(materialized='ephemeral') }}
select event_id, day, user_id, amount
from {{ ref('seed_events') }}
where amount >= 0
