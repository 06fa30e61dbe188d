Description: What an examiner asks first
Author: The authors of regvet
Version: 1.0
Id: 3f0b1f0e-5d0c-4c0e-9b7c-6a5c2f1f0d11
Keys:
    -
        Description: Ports of connections
        HiveType: SYSTEM
        Category: Network
        KeyPath: ControlSet*\Services\Tcpip\Parameters
        Recursive: false
        Comment: What decides which ports connections get
    -
        Description: Programs in the cache
        HiveType: SYSTEM
        Category: Program execution
        KeyPath: ControlSet*\Control\Session Manager\AppCompatCache
        ValueName: AppCompatCache
        Recursive: false
        Comment:
    -
        Description: Autoruns
        HiveType: NTUSER
        Category: Autoruns
        KeyPath: Software\Microsoft\Windows\CurrentVersion\Run*
        Recursive: true
        Comment:
