{{ config(materialized='view') }}
select id, name, city
from {{ ref('customers_history') }}
where valid_to is null
