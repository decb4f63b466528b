select
  order_id,
  {{ month_of('ordered_on') }} as month,
  {{ cents('amount') }} as amount_cents
from {{ paid_orders() }} as paid
