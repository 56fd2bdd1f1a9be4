-- The newest note of each case of the span that has one.
-- grain: one row per case with a note
-- reads: case_reviews
-- columns: case_id, note
SELECT case_id, arg_max(note, id) AS note
FROM case_reviews
WHERE note <> ''
GROUP BY case_id
ORDER BY case_id
