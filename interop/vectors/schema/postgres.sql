-- Every fact of a PostgreSQL catalogue, one line of text each; read by ../schema.py and by djauth's own tests.
SELECT fact FROM (
  SELECT 'column ' || c.relname || ' ' || row_number() OVER (PARTITION BY c.oid ORDER BY a.attnum) || ': ' || a.attname || ' ' || format_type(a.atttypid, a.atttypmod)
      || CASE WHEN a.attnotnull THEN ' NOT NULL' ELSE '' END
      || CASE a.attidentity WHEN 'd' THEN ' IDENTITY BY DEFAULT' WHEN 'a' THEN ' IDENTITY ALWAYS' ELSE '' END
      || COALESCE(' DEFAULT ' || pg_get_expr(d.adbin, d.adrelid), '')
      || CASE WHEN a.attcollation <> 0 AND a.attcollation <> t.typcollation THEN ' COLLATE ' || a.attcollation::regcollation ELSE '' END AS fact
    FROM pg_class c
    JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
    JOIN pg_type t ON t.oid = a.atttypid
    LEFT JOIN pg_attrdef d ON d.adrelid = c.oid AND d.adnum = a.attnum
    WHERE c.relkind = 'r' AND c.relnamespace = current_schema()::regnamespace
  UNION ALL
  SELECT 'constraint ' || k.conname || ' on ' || c.relname || ': ' || pg_get_constraintdef(k.oid)
    FROM pg_constraint k JOIN pg_class c ON c.oid = k.conrelid
    WHERE c.relnamespace = current_schema()::regnamespace AND k.contype <> 'n'
  UNION ALL
  SELECT 'index ' || indexname || ': ' || replace(indexdef, schemaname || '.', '') FROM pg_indexes WHERE schemaname = current_schema()
  UNION ALL
  SELECT 'sequence ' || s.sequencename || ': ' || s.data_type || ' from ' || s.start_value || ' by ' || s.increment_by
      || ' in ' || s.min_value || '..' || s.max_value || CASE WHEN s.cycle THEN ' cycle' ELSE '' END
      || ' last ' || COALESCE(s.last_value::text, 'none')
      || ' owned by ' || COALESCE((SELECT c.relname || '.' || a.attname FROM pg_depend p
           JOIN pg_class c ON c.oid = p.refobjid JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum = p.refobjsubid
           WHERE p.objid = (quote_ident(s.schemaname) || '.' || quote_ident(s.sequencename))::regclass
             AND p.classid = 'pg_class'::regclass AND p.deptype IN ('a', 'i')), 'none')
    FROM pg_sequences s WHERE s.schemaname = current_schema()
  UNION ALL
  SELECT 'other ' || c.relkind::text || ' ' || c.relname FROM pg_class c
    WHERE c.relnamespace = current_schema()::regnamespace AND c.relkind NOT IN ('r', 'i', 'S')
  UNION ALL SELECT 'migration ' || id || ': ' || app || '.' || name FROM django_migrations
  UNION ALL SELECT 'content type ' || id || ': ' || app_label || '.' || model FROM django_content_type
  UNION ALL SELECT 'permission ' || id || ': ' || content_type_id || ' ' || codename || ' ' || name FROM auth_permission
) facts ORDER BY fact COLLATE "C"
