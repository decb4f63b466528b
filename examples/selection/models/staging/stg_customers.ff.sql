select customer_id, name, email
from {{ ref('seed_customers') }}
