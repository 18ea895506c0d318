def test_help_needs_no_files(graftlab):
    graftlab("--help")
