select r.*
from {{ source('rows', 'eye_hour_rows') }} as r
join {{ source('lake', 'days') }} as d using (hiveperiod, dstrct_code)
