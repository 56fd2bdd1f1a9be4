select r.*
from {{ source('rows', 'fatigue_evidence_rows') }} as r
join {{ source('lake', 'days') }} as d using (hiveperiod, dstrct_code)
