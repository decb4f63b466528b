{{ config(materialized='snapshot', unique_key='id', strategy='check', check_cols=['city'],
          snapshot_meta_column_names={'valid_from': 'since', 'valid_to': 'until'}) }}
select id, city
from {{ ref('seed_customers') }}
