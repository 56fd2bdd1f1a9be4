select r.*
from {{ source('rows', 'fault_code_hour_rows') }} as r
join {{ source('lake', 'days') }} as d using (hiveperiod, dstrct_code)
