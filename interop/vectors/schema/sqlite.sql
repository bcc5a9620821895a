-- Every fact of a SQLite catalogue, one line of text each; read by ../schema.py and by djauth's own tests.
SELECT type || ' ' || name || ' on ' || tbl_name || ': ' || COALESCE(sql, 'implicit') AS fact
  FROM sqlite_master WHERE name NOT LIKE 'sqlite_stat%'
UNION ALL SELECT 'sequence ' || name || ': ' || seq FROM sqlite_sequence WHERE seq > 0
UNION ALL SELECT 'migration ' || id || ': ' || app || '.' || name FROM django_migrations
UNION ALL SELECT 'content type ' || id || ': ' || app_label || '.' || model FROM django_content_type
UNION ALL SELECT 'permission ' || id || ': ' || content_type_id || ' ' || codename || ' ' || name FROM auth_permission
ORDER BY 1
