-- TPC-H correlates the sum with every row of partsupp; PostgreSQL would then read all of lineitem 8,000 times.
with shipped as (
  select l_partkey, l_suppkey, sum(l_quantity) as quantity
  from {{ source('tpch', 'lineitem') }}
  where l_shipdate >= date '1994-01-01'
    and l_shipdate < date '1994-01-01' + interval '1' year
  group by l_partkey, l_suppkey
)

select s_name, s_address
from
  {{ source('tpch', 'supplier') }},
  {{ source('tpch', 'nation') }}
where s_suppkey in (
    select ps_suppkey
    from
      {{ source('tpch', 'partsupp') }},
      shipped
    where l_partkey = ps_partkey
      and l_suppkey = ps_suppkey
      and ps_partkey in (select p_partkey from {{ source('tpch', 'part') }} where p_name like 'forest%')
      and ps_availqty > 0.5 * quantity
  )
  and s_nationkey = n_nationkey
  and n_name = 'CANADA'
order by s_name
