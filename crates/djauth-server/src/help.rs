//! What `djauth help` says.

pub(crate) const HELP: &str = "\
djauth: Django's accounts, sessions and permissions from one binary

Usage: djauth [--settings FILE] [COMMAND]

  runserver [ADDR:PORT]   serve (this is also what happens without a command; 127.0.0.1:8000)
  migrate [--check]       make or complete the tables; --check only tells whether that is needed
  createsuperuser         make a user who may do everything
      --username NAME --email ADDRESS
      --noinput           ask nothing: the rest comes from DJANGO_SUPERUSER_USERNAME,
                          DJANGO_SUPERUSER_EMAIL and DJANGO_SUPERUSER_PASSWORD
  changepassword [NAME]   set the password of a user (yours, if no name is given)
  clearsessions           delete the sessions that have ended
  checkpassword           for Apache's mod_authnz_external: name and password in two lines on
                          standard input; exit code 0: right, 1: wrong, 3: not known
  groupsforuser [NAME]    the groups of a user; without a name for GroupExternal of that module
  check [--deploy]        look for faults; --deploy also for settings that are unsafe in public
      --tag TAG           only the checks of a kind, such as security (once or more)
      --list-tags         name the kinds
      --fail-level LEVEL  what counts as a failure: WARNING, ERROR (the default), CRITICAL
  unlock NAME             forget failed logins with this username; or of an address, or all:
      --network ADDRESS
      --all
  sendtestemail ADDRESS...  see whether mail leaves
      --using ALIAS       by this mailer of MAILERS
  diffsettings [--all]    show the settings that differ from the defaults, or all of them
  settings --from manage.py   ask a Django project for its settings, and write ours
      --output FILE       into this new file (mode 600), secrets included; otherwise to the screen,
                          where --secrets shows them
      --python PYTHON     the project's Python, if it is not the python3 of PATH
  doctor                  see whether database, sessions and passwords fit the settings; reads only
      --limit N           look at N users and sessions at most (10000)
  help, --version

Every command takes --settings FILE (TOML; also DJAUTH_SETTINGS), -v/--verbosity 0-3,
--traceback, --no-color, --force-color, --skip-checks and --database default.

Settings have Django's names and may stand in the file or in the environment, which wins.
";
