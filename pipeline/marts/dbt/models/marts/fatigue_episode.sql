-- An episode belongs to the production day it starts in.
select s.hiveperiod, e.*
from {{ ref('stg_episodes') }} as e
join {{ source('lake', 'shifts') }} as s
    on s.dstrct_code = e.dstrct_code
    and epoch(e.started_at) >= s.from_s
    and epoch(e.started_at) < s.until_s
