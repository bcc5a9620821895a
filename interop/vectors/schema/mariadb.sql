-- Every fact of a MariaDB catalogue, one line of text each; read by ../schema.py and by djauth's own tests.
SELECT CONVERT(fact USING utf8mb4) AS fact FROM (
  SELECT CONCAT('table ', t.table_name, ': ', t.table_type, ' ', t.engine, ' ', t.row_format,
      IF(t.table_collation = s.default_collation_name, '', CONCAT(' COLLATE ', t.table_collation)),
      ' next ', COALESCE(t.auto_increment, 'none'), ' ', t.create_options, t.table_comment) AS fact
    FROM information_schema.tables t
    JOIN information_schema.schemata s ON s.schema_name = t.table_schema
    WHERE t.table_schema = DATABASE()
  UNION ALL
  SELECT CONCAT('column ', c.table_name, ' ', c.ordinal_position, ': ', c.column_name, ' ', c.column_type,
      IF(c.is_nullable = 'NO', ' NOT NULL', ''), COALESCE(CONCAT(' DEFAULT ', c.column_default), ''), ' ', c.extra,
      IF(c.collation_name IS NULL OR c.collation_name = s.default_collation_name, '', CONCAT(' COLLATE ', c.collation_name)))
    FROM information_schema.columns c
    JOIN information_schema.schemata s ON s.schema_name = c.table_schema
    WHERE c.table_schema = DATABASE()
  UNION ALL
  SELECT CONCAT('index ', table_name, ' ', index_name, ': ', IF(non_unique, '', 'UNIQUE '), index_type, ' (',
      GROUP_CONCAT(CONCAT(column_name, ' ', collation, COALESCE(CONCAT(' ', sub_part), '')) ORDER BY seq_in_index SEPARATOR ', '), ')')
    FROM information_schema.statistics WHERE table_schema = DATABASE() GROUP BY table_name, index_name, non_unique, index_type
  UNION ALL
  SELECT CONCAT('constraint ', table_name, ' ', constraint_name, ': ', constraint_type)
    FROM information_schema.table_constraints WHERE constraint_schema = DATABASE()
  UNION ALL
  SELECT CONCAT('reference ', k.table_name, ' ', k.constraint_name, ': ', k.column_name, ' -> ',
      k.referenced_table_name, '.', k.referenced_column_name, ' ', r.match_option, ' update ', r.update_rule, ' delete ', r.delete_rule)
    FROM information_schema.key_column_usage k
    JOIN information_schema.referential_constraints r
      ON r.constraint_schema = k.constraint_schema AND r.table_name = k.table_name AND r.constraint_name = k.constraint_name
    WHERE k.constraint_schema = DATABASE()
  UNION ALL
  SELECT CONCAT('check ', table_name, ' ', constraint_name, ': ', level, ' ', REPLACE(check_clause, '"', '`'))
    FROM information_schema.check_constraints WHERE constraint_schema = DATABASE()
  UNION ALL SELECT CONCAT('migration ', id, ': ', app, '.', name) FROM django_migrations
  UNION ALL SELECT CONCAT('content type ', id, ': ', app_label, '.', model) FROM django_content_type
  UNION ALL SELECT CONCAT('permission ', id, ': ', content_type_id, ' ', codename, ' ', name) FROM auth_permission
) facts ORDER BY fact
