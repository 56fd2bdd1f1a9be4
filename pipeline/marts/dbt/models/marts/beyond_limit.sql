select r.*
from {{ source('rows', 'beyond_limit_rows') }} as r
join {{ source('lake', 'days') }} as d using (hiveperiod, dstrct_code)
