select
    d.hiveperiod,
    d.dstrct_code,
    r.test,
    r.model,
    r.severity,
    r.status,
    r.failures,
    r.message,
    d.now as tested_at
from {{ source('lake', 'test_results') }} as r
cross join {{ source('lake', 'days') }} as d
