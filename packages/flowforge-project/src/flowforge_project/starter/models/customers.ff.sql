select customer_id, name, email, name like '%Ltd' as is_company
from {{ source('shop', 'customers') }}
