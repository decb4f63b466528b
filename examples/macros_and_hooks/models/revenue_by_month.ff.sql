{{ config(
  pre_hook="delete from row_log where model = '{{ this }}'",
  tags=['daily']) }}
select month, sum(amount_cents) as revenue_cents
from {{ ref('orders') }}
group by month
