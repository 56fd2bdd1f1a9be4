select r.*
from {{ source('rows', 'unit_fragment_rows') }} as r
join {{ source('lake', 'days') }} as d using (hiveperiod, dstrct_code)
