select c.customer_id, c.name, c.is_company, count(o.order_id) as orders, sum(o.amount) as revenue
from {{ ref('customers') }} as c
left join {{ ref('orders') }} as o on o.customer_id = c.customer_id
group by c.customer_id, c.name, c.is_company
